import { Controller, Get, Headers, Query, VERSION_NEUTRAL } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Public } from '../../common/auth/principal.js';
import { chooseLanguage, type Language } from '../../common/pages/choose-language.js';
import { HtmlPage, renderHtml } from '../../common/pages/html-page.js';
import { ServedUnderPressure } from '../overload/load-shedding.js';
import { Dependencies } from './dependencies.js';

const TEXTS = {
  en: {
    intro: 'A REST service with accounts, users, tasks and notifications.',
    links: {
      docs: 'Try the API in the browser',
      'docs/openapi.json': 'Its description for programs (OpenAPI)',
      'docs/asyncapi.yaml': 'Its events and live messages (AsyncAPI)',
      problems: 'What its errors mean',
    },
    state: 'State',
    parts: { database: 'Accounts and tasks', storage: 'Files' },
    up: 'available',
    down: 'not available',
  },
  de: {
    intro: 'Ein REST-Dienst mit Konten, Personen, Aufgaben und Benachrichtigungen.',
    links: {
      docs: 'Die API im Browser ausprobieren',
      'docs/openapi.json': 'Ihre Beschreibung für Programme (OpenAPI)',
      'docs/asyncapi.yaml': 'Ihre Ereignisse und Live-Nachrichten (AsyncAPI)',
      problems: 'Was ihre Fehler bedeuten',
    },
    state: 'Zustand',
    parts: { database: 'Konten und Aufgaben', storage: 'Dateien' },
    up: 'verfügbar',
    down: 'nicht verfügbar',
  },
} satisfies Record<Language, unknown>;

/**
 * The page for those who open the service's address in a browser: what this is, where to go, whether it works.
 * Which servers stand behind it, and whether they answer, is the operator's to know (`/health`).
 */
@ApiExcludeController()
@Public()
@SkipThrottle({ general: true, strict: true })
@Controller({ path: '', version: VERSION_NEUTRAL })
export class LandingController {
  constructor(private readonly dependencies: Dependencies) {}

  @HtmlPage({ scripts: false })
  @ServedUnderPressure()
  @Get()
  async get(@Headers('accept-language') languages: string | undefined, @Query() _query: object): Promise<string> {
    const language = chooseLanguage(languages);
    const { intro, links, state, parts, up, down } = TEXTS[language];
    const [database, storage] = await Promise.all([this.dependencies.mongodb(), this.dependencies.fileStorage()]);
    const answering = { database, storage };
    const content = `      <p>${intro}</p>
      <ul>
${Object.entries(links)
  .map(([href, label]) => `        <li><a href="${href}">${label}</a></li>\n`)
  .join('')}      </ul>
      <h2>${state}</h2>
      <ul>
${Object.entries(answering)
  .map(([part, isUp]) => {
    const outcome = isUp ? `<span class="success">${up}</span>` : `<span class="problem">${down}</span>`;
    return `        <li>${parts[part as keyof typeof parts]}: ${outcome}</li>\n`;
  })
  .join('')}      </ul>
`;
    return renderHtml({ language, title: 'scalable-api', content, scripts: false });
  }
}
