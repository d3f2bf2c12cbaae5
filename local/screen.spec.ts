import { readyScreen, registerCommand } from './screen.js';

describe('the screen after a start', () => {
  it('names Swagger UI, health, metrics and the mail folder', () => {
    const text = readyScreen({
      url: 'http://localhost:5001',
      processes: [{ name: 'service', metricsUrl: 'http://localhost:9464/metrics' }],
      mailDir: '/srv/api/.local/mail',
      seconds: 1.23,
    });
    for (const part of [
      'http://localhost:5001/docs',
      'http://localhost:5001/health',
      'http://localhost:9464/metrics',
      '.eml',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('tells the metrics of several processes apart', () => {
    const processes = ['auth', 'tasks'].map((name, index) => ({
      name,
      metricsUrl: `http://localhost:946${index}/metrics`,
    }));
    const text = readyScreen({ url: 'http://localhost:5000', processes, seconds: 9 });
    expect(text).toContain('http://localhost:9460/metrics (auth)');
    expect(text).toContain('http://localhost:9461/metrics (tasks)');
  });

  it('has a command whose body the registration takes', () => {
    const command = registerCommand('http://localhost:5000', 'x1');
    const body = JSON.parse(/-d '(.*)'$/.exec(command)![1]!) as Record<string, string>;
    expect(Object.keys(body).sort()).toEqual(['email', 'name', 'password']);
    expect(body['email']).toBe('ada+x1@example.com');
    expect(body['password']!.length).toBeGreaterThanOrEqual(10);
  });
});
