/** How the text of a variable becomes its value; what isn't understood is left as it is, for the rules to refuse. */
interface Given {
  value: unknown;
}

export const toList = ({ value }: Given): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean)
    : value;

export const toBoolean = ({ value }: Given): unknown => (value === 'true' ? true : value === 'false' ? false : value);

/** PEM in a single line: `\n` may stand for a line break, for places that know no others. */
export const toPem = ({ value }: Given): unknown =>
  typeof value === 'string' ? value.replaceAll('\\n', '\n').trim() : value;

export const toPemList = ({ value }: Given): unknown =>
  typeof value === 'string'
    ? (value.replaceAll('\\n', '\n').match(/-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g) ?? [])
    : value;

export const toTrustProxy = ({ value }: Given): unknown => {
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : toList({ value });
};

/** An address that paths are appended to. */
export const toBaseUrl = ({ value }: Given): unknown => (typeof value === 'string' ? value.replace(/\/+$/, '') : value);

export const toCount = ({ value }: Given): unknown =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
