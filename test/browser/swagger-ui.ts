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

  /** The operations of a group, in the order they are shown. */
  async operationsOf(group: string): Promise<string[]> {
    const sections = await this.page.locator(`.opblock[id^="operations-${group}-"]`).all();
    const ids = await Promise.all(sections.map((section) => section.getAttribute('id')));
    return ids.map((id) => (id ?? '').replace(`operations-${group}-`, ''));
  }

  /** How many operations can be executed with one click. */
  executable(): Promise<number> {
    return this.page.locator('button.execute').count();
  }

  /** Opens an operation. @returns the statuses of its answers: those that are shown whole, and those shown by name alone */
  async openOperation(operation: string): Promise<{ whole: string[]; collapsed: string[] }> {
    const section = this.page.locator(`#operations-${operation}`);
    await section.locator('.opblock-summary-control').click();
    await section.locator('tr.response').first().waitFor();
    const statuses = async (rows: Locator) => {
      const all = await rows.all();
      return (await Promise.all(all.map((row) => row.getAttribute('data-code')))).map(String);
    };
    const toggle = this.page.locator('.response-toggle');
    return {
      whole: await statuses(section.locator('tr.response').filter({ hasNot: toggle })),
      collapsed: await statuses(section.locator('tr.response').filter({ has: toggle })),
    };
  }

  /** How much wider than the window the page is, in pixels. */
  async overflow(): Promise<number> {
    return Number(await this.page.evaluate('document.documentElement.scrollWidth - innerWidth'));
  }

  /** Shows the operations of groups whose name has this in it. */
  async filter(text: string): Promise<void> {
    await this.page.locator('.operation-filter-input').fill(text);
  }

  /** The address that the page names as the document's. */
  documentAddress(): Promise<string | null> {
    return this.page.locator('.info a.link').first().getAttribute('href');
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
