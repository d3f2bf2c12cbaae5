import { LANGUAGES } from '../../../common/pages/choose-language.js';
import { staticUrl } from '../../../common/pages/static-files.js';
import { TEXTS } from './page-texts.js';
import { renderPage } from './render-page.js';

describe('renderPage', () => {
  it.each(LANGUAGES)('says which language it speaks: %s', (language) => {
    const page = renderPage('verify-email', language);
    expect(page).toContain(`<html lang="${language}">`);
    expect(page).toContain(`<h1>${TEXTS[language].pages['verify-email'].title}</h1>`);
  });

  it('asks for a new password, or for that of the account', () => {
    expect(renderPage('reset-password', 'en')).toContain('autocomplete="new-password"');
    expect(renderPage('verify-email', 'en')).toContain('autocomplete="current-password"');
  });

  it.each(['verify-email', 'reset-password'] as const)('has no script or style of its own: %s', (name) => {
    const page = renderPage(name, 'en');
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/);
    expect(page.match(/<script\b[^>]*>[^<]*/g)).toEqual([`<script src="${staticUrl('page.js')}" defer>`]);
  });

  it('holds no character in its texts that HTML would take for markup', () => {
    expect(JSON.stringify(TEXTS)).not.toMatch(/[<>&]/);
  });
});
