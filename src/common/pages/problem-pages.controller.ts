import { Controller, Get, Headers, Param, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Public } from '../auth/principal.js';
import { NotFoundError, type ProblemCode, PROBLEMS } from '../errors/problem.js';
import { problemNameOf } from '../http/problem-document.js';
import { chooseLanguage, type Language } from './choose-language.js';
import { HtmlPage, renderHtml } from './html-page.js';
import { PROBLEM_TEXTS } from './problem-texts.js';

const CODES = new Map((Object.keys(PROBLEMS) as ProblemCode[]).map((code) => [problemNameOf(code), code]));

const HEADINGS: Record<Language, { happened: string; remedy: string; others: string }> = {
  en: { happened: 'What happened', remedy: 'What to do', others: 'All problems' },
  de: { happened: 'Was geschehen ist', remedy: 'Was zu tun ist', others: 'Alle Fehler' },
};

/** The pages that the `type` of a problem document leads to, and a list of them. */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ path: 'problems', version: VERSION_NEUTRAL })
export class ProblemPagesController {
  @HtmlPage({ scripts: false })
  @Get()
  list(@Headers('accept-language') languages: string | undefined): string {
    const language = chooseLanguage(languages);
    const rows = [...CODES].map(
      ([name, code]) =>
        `        <li><a href="problems/${name}">${code}</a> (${PROBLEMS[code].status}): ${PROBLEM_TEXTS[code][language].happened}</li>\n`,
    );
    const content = `      <ul>\n${rows.join('')}      </ul>\n`;
    return renderHtml({ language, title: HEADINGS[language].others, content, scripts: false });
  }

  @HtmlPage({ scripts: false })
  @Get(':code')
  get(@Param('code') name: string, @Headers('accept-language') languages: string | undefined): string {
    const code = CODES.get(name);
    if (code === undefined) throw new NotFoundError();
    const language = chooseLanguage(languages);
    const { happened, remedy } = PROBLEM_TEXTS[code][language];
    const headings = HEADINGS[language];
    const content = `      <p class="hint">${PROBLEMS[code].status} ${PROBLEMS[code].title}</p>
      <h2>${headings.happened}</h2>
      <p>${happened}</p>
      <h2>${headings.remedy}</h2>
      <p>${remedy}</p>
      <p><a href="../problems">${headings.others}</a></p>
`;
    return renderHtml({ language, title: code, content, scripts: false, depth: 1 });
  }
}
