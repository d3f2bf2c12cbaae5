import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** One of the pages that mails link to, as its reader sees and hears it. */
export class MailPage {
  /** What the browser complained of: errors on the console, uncaught exceptions, violations of the page's policy. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.on('console', (message) => {
      // The browser itself reports each refusal of the API; the page tells the reader.
      if (message.type() === 'error' && !/the server responded with a status of 4\d\d/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('requestfailed', (request) => this.complaints.push(`failed to load: ${request.url()}`));
  }

  static async open(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<MailPage> {
    const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage();
    const mailPage = new MailPage(page);
    await page.addInitScript({
      content: `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error('violates its policy: ' + violatedDirective + ' ' + blockedURI));`,
    });
    await page.goto(address);
    return mailPage;
  }

  /** What is announced to screen readers; waits until it says something. */
  async outcome(): Promise<string> {
    const status = this.page.getByRole('status');
    await status.filter({ hasText: /[^…]$/ }).waitFor();
    return await status.innerText();
  }

  press(button: string): Promise<void> {
    return this.page.getByRole('button', { name: button }).click();
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
