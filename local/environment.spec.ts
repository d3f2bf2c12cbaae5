import { configurationOf, documentedNames, isGiven, serviceEnvironment } from './environment.js';

describe('serviceEnvironment', () => {
  it("fills in the stack's values where none are given", () => {
    expect(serviceEnvironment({ HOME: '/home/ada' }, { PORT: '5000' })).toEqual({ HOME: '/home/ada', PORT: '5000' });
  });

  it('lets a given value win', () => {
    expect(serviceEnvironment({ PORT: '8080' }, { PORT: '5000' })).toEqual({ PORT: '8080' });
  });

  it('lets a value given as a file win', () => {
    const given = { APP_SECRETS_FILE: '/run/secrets/app' };
    expect(serviceEnvironment(given, { APP_SECRETS: 'own' })).toEqual(given);
  });

  it('takes an empty variable for one that is not given', () => {
    expect(serviceEnvironment({ PORT: '' }, { PORT: '5000' })).toEqual({ PORT: '5000' });
    expect(isGiven({ PORT: '' }, 'PORT')).toBe(false);
  });
});

describe('documentedNames', () => {
  it('reads set and commented-out variables and no prose', () => {
    expect(documentedNames('# The port.\nPORT=5000\n#WORKERS=1\n# S3_BUCKET=\nsome text=\n')).toEqual([
      'PORT',
      'WORKERS',
      'S3_BUCKET',
    ]);
  });
});

describe('configurationOf', () => {
  it('keeps the named variables, given by value or as a file, and nothing else', () => {
    const env = { PORT: '5000', MAIL_FROM_FILE: '/mail', TOKEN: 'of another program' };
    expect(configurationOf(env, ['PORT', 'MAIL_FROM', 'REDIS_URL'])).toEqual({ PORT: '5000', MAIL_FROM_FILE: '/mail' });
  });
});
