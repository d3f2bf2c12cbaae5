/* global SwaggerUIBundle, SwaggerUIStandalonePreset -- loaded by the page before this file */

const DOCUMENT = /\/openapi\.json$/;
const LOGIN = /\/auth\/(register|login|login\/mfa|refresh)$/;
const folder = new URL('.', document.currentScript.src);

/** Requests go to where the page comes from: the page may be open under another address than `PUBLIC_URL`. */
function useOwnServer(response) {
  if (!response.ok || !DOCUMENT.test(response.url)) return;
  const url = new URL('..', folder).href.replace(/\/$/, '');
  response.text = JSON.stringify({ ...JSON.parse(response.text), servers: [{ url }] });
}

/** After a registration or log-in on the page, requests carry the new access token. */
function authorizeAfterLogin(response) {
  const accessToken = response.ok && LOGIN.test(response.url) && response.body?.accessToken;
  if (!accessToken) return;
  ui.getSystem().authActions.authorizeWithPersistOption({
    bearer: { name: 'bearer', schema: { type: 'http', scheme: 'bearer' }, value: accessToken },
  });
}

/** Shows problem responses by their status and description; a click shows the rest. */
const collapsedProblems = ({ React }) => ({
  wrapComponents: {
    response: (Response) =>
      function CollapsibleResponse(props) {
        const [isOpen, setOpen] = React.useState(Number(props.code) < 400);
        if (isOpen) return React.createElement(Response, props);
        const button = (text) =>
          React.createElement(
            'button',
            { type: 'button', className: 'response-toggle', 'aria-expanded': false, onClick: () => setOpen(true) },
            text,
          );
        return React.createElement(
          'tr',
          { className: 'response', 'data-code': props.code },
          React.createElement('td', { className: 'response-col_status' }, button(`${props.code} ▸`)),
          React.createElement(
            'td',
            { className: 'response-col_description', colSpan: 2 },
            button(props.response.get('description')?.replaceAll('`', '')),
          ),
        );
      },
  },
});

const ui = SwaggerUIBundle({
  url: new URL('openapi.json', folder).href,
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  filter: true,
  tryItOutEnabled: false,
  persistAuthorization: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl, collapsedProblems],
  layout: 'StandaloneLayout',
  responseInterceptor(response) {
    useOwnServer(response);
    authorizeAfterLogin(response);
    return response;
  },
});
