import { Eta } from 'eta';
import { GREETINGS, type Language, type NotificationText, UNSUBSCRIBE_HINTS } from '../notification-texts.js';

interface Options {
  language: Language;
  /** Whom to greet; nobody in particular where it is left out. */
  name?: string | undefined;
  /** Where the reader is to go; nowhere where it is left out. */
  link?: string | undefined;
  /** What a digest collects. */
  items?: NotificationText[] | undefined;
  /** Where such mails are ended; no word of it where it is left out. */
  unsubscribe?: string | undefined;
}

const TEXT = `<%= it.greeting %>


<%= it.body %>

<% for (const { title, body } of it.items) { %>

- <%= title %>: <%= body %>

<% } %>
<% if (it.link) { %>

<%= it.link %>

<% } %>
<% if (it.unsubscribe) { %>

--
<%= it.unsubscribeHint %>

<%= it.unsubscribe %>

<% } %>`;

const HTML = `<!doctype html>
<html lang="<%= it.language %>">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title><%= it.title %></title>
  </head>
  <body style="font-family: sans-serif; max-width: 36em; margin: 2em auto; padding: 0 1em; line-height: 1.5">
    <h1 style="font-size: 1.3em"><%= it.title %></h1>
    <p><%= it.greeting %></p>
    <p><%= it.body %></p>
<% if (it.items.length > 0) { %>
    <ul>
<% for (const { title, body } of it.items) { %>
      <li><strong><%= title %></strong><br><%= body %></li>
<% } %>
    </ul>
<% } %>
<% if (it.link) { %>
    <p><a href="<%= it.link %>"><%= it.link %></a></p>
<% } %>
<% if (it.unsubscribe) { %>
    <p style="font-size: 0.85em; opacity: 0.75"><a href="<%= it.unsubscribe %>"><%= it.unsubscribeHint %></a></p>
<% } %>
  </body>
</html>
`;

const plain = new Eta({ autoEscape: false });
const markup = new Eta({ autoEscape: true });
const plainTemplate = plain.compile(TEXT);
const markupTemplate = markup.compile(HTML);

/** A mail in plain text and in HTML that says the same. */
export function renderEmail(
  { title, body }: NotificationText,
  { language, name, link, items = [], unsubscribe }: Options,
): { subject: string; text: string; html: string } {
  const greeting = GREETINGS[language](name);
  const unsubscribeHint = UNSUBSCRIBE_HINTS[language];
  const content = { language, title, body, greeting, link, items, unsubscribe, unsubscribeHint };
  return {
    subject: title,
    text: plain.render(plainTemplate, content),
    html: markup.render(markupTemplate, content),
  };
}
