import { renderEmail } from './email-template.js';

const TEXT = { title: 'Task completed', body: '“<img src=x onerror="alert(1)">” & \'co\' is done.' };

describe('a mail', () => {
  it('holds nothing of a user’s as markup', () => {
    const { html } = renderEmail(TEXT, {
      language: 'en',
      name: '<b>Ada</b>',
      link: 'https://a.test/?a=1&b="2"#token=x',
    });
    expect(html).toContain('“&lt;img src=x onerror=&quot;alert(1)&quot;&gt;” &amp; &#39;co&#39; is done.');
    expect(html).toContain('Hello &lt;b&gt;Ada&lt;/b&gt;,');
    expect(html).toContain('<a href="https://a.test/?a=1&amp;b=&quot;2&quot;#token=x">');
    expect(html).not.toMatch(/<img|<b>/);
  });

  it('says the same in plain text, as it was written', () => {
    const { subject, text } = renderEmail(TEXT, { language: 'en', name: 'Ada', link: 'https://a.test/#token=x' });
    expect(subject).toBe('Task completed');
    expect(text).toBe(`Hello Ada,\n\n${TEXT.body}\n\nhttps://a.test/#token=x\n`);
  });

  it('greets nobody by name and links nowhere where it is not told to', () => {
    const { text, html } = renderEmail(TEXT, { language: 'en' });
    expect(text).toBe(`Hello,\n\n${TEXT.body}\n`);
    expect(html).not.toContain('<a ');
  });
});
