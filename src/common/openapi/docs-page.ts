/**
 * The page of Swagger UI.
 *
 * @param base the relative address of the folder that everything is in, with a slash at the end: so it also works under a
 * path of `PUBLIC_URL`
 */
export function docsPage(base: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>scalable-api</title>
<link rel="stylesheet" href="${base}swagger-ui.css">
<link rel="icon" type="image/png" href="${base}favicon-32x32.png" sizes="32x32">
<link rel="icon" type="image/png" href="${base}favicon-16x16.png" sizes="16x16">
<style>
body { margin: 0 }
.swagger-ui .topbar { display: none }
.swagger-ui .response-toggle { all: unset; cursor: pointer; font-size: 14px; overflow-wrap: anywhere }
.swagger-ui .response-toggle:focus-visible { outline: 2px solid }
.dark-mode .swagger-ui .header-col, .dark-mode .swagger-ui .headers td { color: inherit }
@media (max-width: 40rem) {
  .swagger-ui .wrapper { padding: 0 8px }
  .swagger-ui .filter input { width: 100%; max-width: none }
  .swagger-ui .response-col_links { display: none }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; word-break: break-word }
  .swagger-ui .parameters-col_name { width: auto; min-width: 8em }
  .swagger-ui .table-container, .swagger-ui .responses-inner { overflow-x: auto }
}
</style>
</head>
<body>
<div id="swagger-ui"></div>
<script src="${base}swagger-ui-bundle.js"></script>
<script src="${base}swagger-ui-standalone-preset.js"></script>
<script src="${base}docs-script.js"></script>
</body>
</html>
`;
}
