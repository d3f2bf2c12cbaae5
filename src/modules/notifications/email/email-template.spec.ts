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

  it('has neither a name nor a link where none is given', () => {
    const { text, html } = renderEmail(TEXT, { language: 'en' });
    expect(text).toBe(`Hello,\n\n${TEXT.body}\n`);
    expect(html).not.toContain('<a ');
  });

  it('lists what a digest collects, and how to end such mails', () => {
    const items = [
      { title: 'Reminder', body: 'Tea & <b>cake</b>' },
      { title: 'Task completed', body: '“Work” is done.' },
    ];
    const unsubscribe = 'https://a.test/unsubscribe?token=1&x="';
    const { text, html } = renderEmail(
      { title: 'Your daily digest', body: '2 notifications:' },
      { language: 'en', items, unsubscribe },
    );
    expect(text).toBe(
      `Hello,\n\n2 notifications:\n\n- Reminder: Tea & <b>cake</b>\n\n- Task completed: “Work” is done.\n\n--\nNo more of these mails\n${unsubscribe}\n`,
    );
    expect(html).toContain('<li><strong>Reminder</strong><br>Tea &amp; &lt;b&gt;cake&lt;/b&gt;</li>');
    expect(html).toContain('href="https://a.test/unsubscribe?token=1&amp;x=&quot;"');
  });
});
