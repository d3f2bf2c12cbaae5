import type { Locator, Page } from 'playwright-core';

/** What Swagger UI shows of an answer; `body` is undefined where there is none. */
export interface ShownAnswer<T> {
  status: number;
  body: T;
}

export interface Input {
  /** Path and query parameters; several values of a list are selected together. */
  parameters?: Record<string, string | string[]>;
  /** Replaces the example that the editor holds. */
  body?: unknown;
}

/** Swagger UI as its user sees it: everything goes through what can be clicked and read. */
export class SwaggerUi {
  /** What the browser complained of: errors on the console, uncaught exceptions, violations of the page's policy. */
  readonly complaints: string[] = [];

  constructor(private readonly page: Page) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('requestfailed', (request) => this.complaints.push(`failed to load: ${request.url()}`));
  }

  async open(address: string): Promise<void> {
    await this.page.addInitScript({
      content: `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
        console.error('violates its policy: ' + violatedDirective + ' ' + blockedURI));`,
    });
    await this.page.goto(`${address}/docs`);
    await this.page.locator('.opblock').first().waitFor();
  }

  title(): Promise<string> {
    return this.page.title();
  }

  /** The groups of operations, in the order they are shown. */
  async groups(): Promise<(string | null)[]> {
    const tags = await this.page.locator('.opblock-tag').all();
    return await Promise.all(tags.map((tag) => tag.getAttribute('data-tag')));
  }

  /** Gives the token to the Authorize dialog, instead of one that it may have. */
  async authorize(accessToken: string): Promise<void> {
    await this.page.locator('button.authorize').first().click();
    // The first of its forms is for access tokens, the second for API keys.
    const dialog = this.page.locator('.dialog-ux .auth-container').first();
    await dialog.locator('button.btn-done').waitFor();
    const logOut = dialog.locator('button', { hasText: 'Logout' });
    if (await logOut.isVisible()) await logOut.click();
    await dialog.locator('input').fill(accessToken);
    await dialog.locator('button[type=submit]').click();
    await dialog.locator('button.btn-done').click();
  }

  /**
   * Opens an operation, fills in its form and executes it.
   *
   * @param operation its group and name, e.g. `Tasks-createTask`
   * @returns what is shown as the server's response
   */
  async execute<T>(operation: string, { parameters = {}, body }: Input = {}): Promise<ShownAnswer<T>> {
    const section = this.page.locator(`#operations-${operation}`);
    if (!(await section.getAttribute('class'))?.includes('is-open')) {
      await section.locator('.opblock-summary-control').click();
      await section.locator('.opblock-body').waitFor();
    }
    const tryOut = section.locator('button.try-out__btn:not(.cancel)');
    if (await tryOut.isVisible()) await tryOut.click();
    for (const [name, value] of Object.entries(parameters)) await this.fillIn(section, name, value);
    if (body !== undefined) await section.locator('textarea.body-param__text').fill(JSON.stringify(body));
    // So that the answer read below is the one to this execution.
    const clear = section.locator('button.btn-clear');
    if (await clear.isVisible()) await clear.click();
    await section.locator('button.execute').click();
    return await this.readAnswer<T>(section.locator('.live-responses-table'));
  }

  private async fillIn(section: Locator, name: string, value: string | string[]): Promise<void> {
    const row = section.locator(`tr[data-param-name="${name}"]`);
    if (await row.locator('select').isVisible()) await row.locator('select').selectOption(value);
    else await row.locator('input').fill(String(value));
  }

  private async readAnswer<T>(answer: Locator): Promise<ShownAnswer<T>> {
    const status = Number.parseInt(await answer.locator('tbody td.response-col_status').innerText(), 10);
    const content = answer.locator('td.response-col_description .highlight-code code').first();
    const text = (await content.count()) > 0 ? await content.textContent() : null;
    return { status, body: (text ? JSON.parse(text) : undefined) as T };
  }
}
