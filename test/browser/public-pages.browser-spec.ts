import type { Browser } from 'playwright-core';
import { startService, type TestService } from '../support/service.js';
import { launchChromium } from './chromium.js';
import { MailPage } from './mail-page.js';

let service: TestService;
let browser: Browser;
beforeAll(async () => {
  [browser, service] = await Promise.all([launchChromium(), startService()]);
});
afterAll(() => browser?.close());

describe.each([320, 1280])('%i pixels wide', (width) => {
  it.each(['light', 'dark'] as const)('the pages for people can be read in %s colours', async (colorScheme) => {
    for (const path of ['/', '/problems', '/problems/version-mismatch']) {
      const opened = await MailPage.open(browser, service.url + path, {
        colorScheme,
        locale: 'de',
        viewport: { width, height: 700 },
      });
      const { page, complaints } = opened;
      expect(await page.locator('h1').innerText()).not.toBe('');
      const overflows = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
      expect([path, await page.evaluate(overflows), complaints]).toEqual([path, false, []]);
      await opened.close();
    }
  });
});

it('lead from the first one to what a problem means', async () => {
  const opened = await MailPage.open(browser, service.url);
  await opened.page.getByRole('link', { name: 'What its errors mean' }).click();
  await opened.page.getByRole('link', { name: 'RATE_LIMITED' }).click();
  await opened.page.getByRole('heading', { name: 'What to do' }).waitFor();
  expect(opened.complaints).toEqual([]);
});
