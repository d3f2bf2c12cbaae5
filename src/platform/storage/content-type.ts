import { fileTypeFromBuffer } from 'file-type';

/** How much of a file `hasContentType` needs. */
export const SAMPLE_BYTES = 4096;

const ZIP = 'application/zip';
/** The format that Office had before its documents were zip archives. */
const COMPOUND_FILE = 'application/x-cfb';

/** What the first bytes of a type are recognised as, where that isn't the type itself. */
const RECOGNISED_AS: Record<string, readonly string[]> = {
  'image/png': ['image/apng'],
  'image/heic': ['image/heif', 'image/heic-sequence', 'image/heif-sequence'],
  'application/msword': [COMPOUND_FILE],
  'application/vnd.ms-excel': [COMPOUND_FILE],
  'application/vnd.ms-powerpoint': [COMPOUND_FILE],
  // Which document a zip archive is may be written far behind its beginning.
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': [ZIP],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': [ZIP],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': [ZIP],
  'application/vnd.oasis.opendocument.text': [ZIP],
  'application/vnd.oasis.opendocument.spreadsheet': [ZIP],
  'application/vnd.oasis.opendocument.presentation': [ZIP],
};

/** Formats that begin like text and are none. */
const NOT_TEXT = new Set(['application/pdf', 'application/rtf', 'application/postscript']);
/** U+FEFF in UTF-16, in which text has NULs. */
const UTF16_MARKS = ['fffe', 'feff'];
/** Backspace, tab, line feed, form feed, carriage return and escape: the control characters that text may hold. */
const TEXT_CONTROLS = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

/**
 * Whether a file can be of the media type that was declared for it, by its first `SAMPLE_BYTES` bytes. Text has no
 * signature: it must hold no binary data and be no other document.
 */
export async function hasContentType(contentType: string, sample: Uint8Array): Promise<boolean> {
  const isText = contentType.startsWith('text/');
  if (isText && UTF16_MARKS.includes(Buffer.from(sample.subarray(0, 2)).toString('hex'))) return true;
  if (isText && sample.some((byte) => byte < 0x20 && !TEXT_CONTROLS.has(byte))) return false;
  const recognised = (await fileTypeFromBuffer(sample).catch(() => undefined))?.mime;
  // Two letters are enough to be recognised as some formats; without binary data it is text all the same.
  if (isText) return recognised === undefined || !NOT_TEXT.has(recognised);
  if (recognised === undefined) return false;
  if (contentType === ZIP) return recognised === ZIP || isZipDocument(recognised);
  return recognised === contentType || (RECOGNISED_AS[contentType]?.includes(recognised) ?? false);
}

function isZipDocument(contentType: string): boolean {
  return RECOGNISED_AS[contentType]?.includes(ZIP) ?? false;
}
