import { hasContentType } from './content-type.js';

const hex = (text: string, more = '') => Buffer.concat([Buffer.from(text, 'hex'), Buffer.from(more, 'latin1')]);
const PNG = hex('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489');
const JPEG = hex('ffd8ffe000104a46494600010100000100010000');
const PDF = Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj\n', 'latin1');
const ZIP = hex('504b0304140000000800', '\0'.repeat(16) + '\x05\0\0\0a.txtabc');
const ODT = hex(
  '504b03041400000000000000000000000000270000002700000008000000',
  'mimetypeapplication/vnd.oasis.opendocument.text',
);
const COMPOUND = Buffer.concat([hex('d0cf11e0a1b11ae1'), Buffer.alloc(512)]);
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('hasContentType', () => {
  it.each([
    ['image/png', PNG],
    ['image/jpeg', JPEG],
    ['image/webp', hex('52494646100000005745425056503820', '\0'.repeat(20))],
    ['image/gif', Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1')],
    ['image/avif', hex('0000001c6674797061766966', '\0\0\0\0avifmif1miaf')],
    ['image/heic', hex('00000018667479706d696631', '\0\0\0\0mif1heic')],
    ['application/pdf', PDF],
    ['application/zip', ZIP],
    ['application/zip', ODT],
    [DOCX, ZIP],
    ['application/vnd.oasis.opendocument.text', ODT],
    ['application/msword', COMPOUND],
    ['text/csv', Buffer.from('name;value\r\nä;1\r\n')],
    ['text/plain', Buffer.from('Begins like a bitmap: BM'.slice(22) + 'W;1\n')],
    ['text/plain', Buffer.from('MZ;like a program')],
    ['text/plain', Buffer.from('<?xml version="1.0"?>\n<a/>')],
    ['text/plain', Buffer.from('\ufeffWith a mark', 'utf8')],
    ['text/csv', Buffer.from('\ufeffa\tb\n1\t2\n', 'utf16le')],
    ['text/plain', Buffer.from('\x1b[1mbold\x1b[0m in a terminal')],
  ])('is true for %s that is one', async (type, sample) => {
    expect(await hasContentType(type, sample)).toBe(true);
  });

  it.each([
    ['image/png', JPEG],
    ['image/png', Buffer.from('<script>alert(1)</script>')],
    ['image/png', PNG.subarray(0, 7)],
    ['application/pdf', Buffer.from('<html><body>%PDF-1.7')],
    ['application/pdf', ZIP],
    ['application/zip', COMPOUND],
    ['application/zip', PDF],
    [DOCX, COMPOUND],
    [DOCX, ODT],
    ['application/msword', ZIP],
    ['application/msword', hex('4d5a90000300000004000000ffff0000', '\0'.repeat(100))],
    ['text/plain', hex('4d5a90000300000004000000ffff0000')],
    ['text/plain', hex('7f454c4602010100')],
    ['text/csv', PDF],
    ['text/csv', PNG],
    ['text/csv', ZIP],
    ['text/plain', Buffer.from('{\\rtf1\\ansi text}')],
    ['text/plain', Buffer.from('text\0text')],
    ['image/jpeg', Buffer.alloc(0)],
  ])('is false for %s that is something else', async (type, sample) => {
    expect(await hasContentType(type, sample)).toBe(false);
  });
});
