import type { Browser } from 'playwright-core';
import { mailTo } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { logIn, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { launchChromium } from './chromium.js';
import { MailPage } from './mail-page.js';

const NARROW = { viewport: { width: 320, height: 568 } };

let service: TestService;
let browser: Browser;
let opened: MailPage[] = [];

beforeAll(async () => {
  [browser, service] = await Promise.all([launchChromium(), startService()]);
});

afterEach(async () => {
  for (const { complaints } of opened) expect(complaints).toEqual([]);
  await Promise.all(opened.map((page) => page.close()));
  opened = [];
});

afterAll(async () => {
  await browser?.close();
});

async function open(path: string, options?: Parameters<typeof MailPage.open>[2]): Promise<MailPage> {
  const page = await MailPage.open(browser, service.url + path, options);
  opened.push(page);
  return page;
}

/** Whether anything is wider than the window. */
const overflows = ({ page }: MailPage): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

/** The link of a mail, which names the service's public address, at the one it really has. */
function pathIn(text: string): string {
  const [, path] = /https?:\/\/[^/]+(\/\S+#token=\S+)/.exec(text) ?? [];
  if (path === undefined) throw new Error(`no link in: ${text}`);
  return path;
}

describe('the page /verify-email', () => {
  const isVerified = async ({ api }: TestUser) =>
    (await api.get<{ emailVerified: boolean }>('/api/v1/users/me')).body.emailVerified;

  it('confirms the address when the reader presses the button, and not before', async () => {
    const user = await registerUser(service);
    const path = pathIn((await mailTo(user.email)).text);

    const first = await open(path);
    expect(await first.page.title()).toBe('Confirm your email address');
    expect(first.page.url()).toBe(`${service.url}/verify-email`);
    await first.page.waitForLoadState('networkidle');
    expect(await first.page.getByRole('status').innerText()).toBe('');
    expect(await isVerified(user)).toBe(false);

    await first.page.getByLabel('Password of the account').fill('wrong-horse-battery');
    await first.press('Confirm my address');
    await first.page.locator('#password-problem').filter({ hasText: 'not the password' }).waitFor();
    expect(await first.page.evaluate('document.activeElement.id')).toBe('password');
    expect(await isVerified(user)).toBe(false);
    await first.page.getByLabel('Password of the account').fill(user.password);
    await first.press('Confirm my address');
    expect(await first.outcome()).toBe('Thank you, your address is confirmed. You can close this page.');
    expect(await first.page.getByRole('button').count()).toBe(0);
    expect(await first.page.evaluate('document.activeElement.id')).toBe('status');
    await waitFor('the profile to know', () => isVerified(user));

    const second = await open(path);
    await second.page.getByLabel('Password of the account').fill(user.password);
    await second.press('Confirm my address');
    expect(await second.outcome()).toBe('This link has expired or was used before. Log in and ask for a new one.');
  });

  it('works by keyboard alone', async () => {
    const user = await registerUser(service);
    const { page, ...rest } = await open(pathIn((await mailTo(user.email)).text));
    expect(rest.complaints).toEqual([]);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('password');
    await page.keyboard.type(user.password);
    await page.keyboard.press('Enter');
    await page.getByText('Thank you').waitFor();
  });

  it.each([
    ['a token nobody made', '#token=made-up', 'expired or was used before'],
    ['one longer than any of ours', `#token=${'x'.repeat(500)}`, 'expired or was used before'],
  ])('says what is wrong with %s', async (_, hash, message) => {
    const page = await open(`/verify-email${hash}`);
    await page.page.getByLabel('Password of the account').fill('any-horse-battery');
    await page.press('Confirm my address');
    expect(await page.outcome()).toContain(message);
  });

  it('says so at once where the link has no token', async () => {
    const page = await open('/verify-email');
    expect(await page.outcome()).toContain('This link is incomplete.');
    expect(await page.page.getByRole('button').count()).toBe(0);
  });

  it('lets the reader try again after a failure', async () => {
    const page = await open('/verify-email#token=made-up');
    await page.page.getByLabel('Password of the account').fill('any-horse-battery');
    await page.page.route('**/api/**', (route) => route.fulfill({ status: 503, body: 'not the service' }));
    await page.press('Confirm my address');
    expect(await page.outcome()).toBe('That did not work. Please check your connection and try again.');
    await page.page.unroute('**/api/**');
    await page.press('Confirm my address');
    await page.page.getByText('expired or was used before').waitFor();
    expect(page.complaints).toEqual([expect.stringContaining('503')]);
    page.complaints.length = 0;
  });

  it('speaks the language of the reader', async () => {
    const page = await open('/verify-email#token=x', { locale: 'de-AT', ...NARROW });
    expect(await page.page.locator('html').getAttribute('lang')).toBe('de');
    await page.page.getByLabel('Passwort des Kontos').fill('any-horse-battery');
    await page.press('Adresse bestätigen');
    expect(await page.outcome()).toContain('Dieser Link ist abgelaufen');
    expect(await overflows(page)).toBe(false);
  });

  it('says what it needs where scripts are off', async () => {
    const { page } = await open('/verify-email#token=x', { javaScriptEnabled: false });
    expect(await page.locator('main').innerText()).toContain('This page needs JavaScript');
    expect(await page.getByRole('button').count()).toBe(0);
  });

  it('ignores what a mail program added to the link', async () => {
    const page = await open('/verify-email?utm_source=mail#token=x');
    await page.page.getByLabel('Password of the account').fill('any-horse-battery');
    await page.press('Confirm my address');
    expect(await page.outcome()).toContain('expired or was used before');
  });
});

describe('the page /reset-password', () => {
  async function forgetfulUser(): Promise<{ user: TestUser; path: string }> {
    const user = await registerUser(service);
    await user.api.post('/api/v1/auth/password/forgot', { email: user.email });
    const mail = await mailTo(user.email, ({ subject }) => subject === 'Reset your password');
    return { user, path: pathIn(mail.text) };
  }

  it('sets the new password, once', async () => {
    const { user, path } = await forgetfulUser();
    const first = await open(path);
    expect(first.page.url()).toBe(`${service.url}/reset-password`);
    await first.page.getByLabel('New password').fill('another-horse-battery');
    await first.page.keyboard.press('Enter');
    expect(await first.outcome()).toBe('Your new password is saved. You can close this page and log in.');
    expect(await first.page.locator('form').isVisible()).toBe(false);
    await expect(logIn(service, { email: user.email, password: 'another-horse-battery' })).resolves.toBeDefined();
    await expect(logIn(service, user)).rejects.toThrow('401');

    const second = await open(path);
    await second.page.getByLabel('New password').fill('yet-another-battery');
    await second.press('Save new password');
    expect(await second.outcome()).toContain('This link has expired or was used before.');
  });

  it.each([
    ['one of the commonest', () => 'password1234'],
    ['the email address', ({ email }: TestUser) => email],
  ])('says beside the field that the password is %s, and takes another one', async (_, passwordOf) => {
    const { user, path } = await forgetfulUser();
    const page = await open(path);
    await page.page.getByLabel('New password').fill(passwordOf(user));
    await page.press('Save new password');
    await page.page.locator('#password-problem').filter({ hasText: 'too easy to guess' }).waitFor();
    expect(await page.page.getByRole('status').innerText()).toBe('');
    await page.page.getByLabel('New password').fill('another-horse-battery');
    await page.press('Save new password');
    expect(await page.outcome()).toContain('Your new password is saved.');
  });

  it('complains beside the field, before anything is sent', async () => {
    const { page } = await open('/reset-password#token=x', NARROW);
    const password = page.getByLabel('New password');
    await password.fill('short');
    await page.keyboard.press('Enter');
    expect(await page.locator('#password-problem').innerText()).toBe('Please use at least 10 characters.');
    expect(await password.getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate('document.activeElement.id')).toBe('password');
    expect(await password.getAttribute('aria-describedby')).toBe('password-hint password-problem');
    await password.fill('x'.repeat(129));
    await page.keyboard.press('Enter');
    expect(await page.locator('#password-problem').innerText()).toBe('Please use at most 128 characters.');
    expect(await page.getByRole('status').innerText()).toBe('');
  });

  it('shows the password on demand', async () => {
    const { page } = await open('/reset-password#token=x');
    const password = page.getByLabel('New password');
    expect(await password.getAttribute('type')).toBe('password');
    expect(await password.getAttribute('autocomplete')).toBe('new-password');
    await page.getByLabel('Show password').check();
    expect(await password.getAttribute('type')).toBe('text');
    await page.getByLabel('Show password').uncheck();
    expect(await password.getAttribute('type')).toBe('password');
  });

  it.each(['light', 'dark'] as const)('can be read on a narrow screen in %s colours', async (colorScheme) => {
    const page = await open('/reset-password#token=x', { colorScheme, locale: 'de', ...NARROW });
    await page.page.getByLabel('Neues Passwort').fill('kurz');
    await page.press('Neues Passwort speichern');
    expect(await overflows(page)).toBe(false);
    for (const selector of ['h1', '.hint', '#password-problem', 'button']) {
      expect(await contrastOf(page, selector)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

/** WCAG 2.2, 1.4.3: the contrast of an element's text with what is behind it. */
async function contrastOf({ page }: MailPage, selector: string): Promise<number> {
  const [text = [], back = []] = await page.evaluate<number[][]>(`(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const element = document.querySelector('${selector}');
    let behind = element;
    while (behind !== document.body && numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    return [numbers(getComputedStyle(element).color), numbers(getComputedStyle(behind).backgroundColor)];
  })()`);
  const [lighter = 0, darker = 0] = [luminance(text), luminance(back)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance([red = 0, green = 0, blue = 0]: number[]): number {
  const linear = (channel: number) =>
    channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
