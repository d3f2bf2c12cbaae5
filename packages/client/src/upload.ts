import { NetworkError, toApiError, withoutQuery } from './problem.js';
import type { components } from './schema.js';

type Upload = Pick<components['schemas']['UploadResponseDto'], 'uploadUrl' | 'method' | 'headers'>;

export interface UploadOptions {
  /** Called as the content goes out, and at the end, with bytes. */
  onProgress?: (sent: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Sends a file's content where the service said. Progress comes from `XMLHttpRequest`, which alone knows it; where there is
 * none (Node), it is told at the beginning and at the end.
 *
 * @throws ApiError of the store; NetworkError when it can't be reached; the reason of an abort
 */
export async function sendContent(upload: Upload, content: Blob, options: UploadOptions = {}): Promise<void> {
  const { onProgress, signal } = options;
  onProgress?.(0, content.size);
  const response =
    typeof XMLHttpRequest === 'undefined'
      ? await sendByFetch(upload, content, signal)
      : await sendByXhr(upload, content, options);
  if (!response.ok) throw await toApiError(response);
  onProgress?.(content.size, content.size);
}

async function sendByFetch(
  { uploadUrl, method, headers }: Upload,
  body: Blob,
  signal?: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(uploadUrl, {
      method,
      headers: headers as Record<string, string>,
      body,
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new NetworkError(`${withoutQuery(uploadUrl)}: no answer`, { cause });
  }
}

function sendByXhr(
  { uploadUrl, method, headers }: Upload,
  content: Blob,
  { onProgress, signal }: UploadOptions,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, uploadUrl);
    for (const [name, value] of Object.entries(headers as Record<string, string>))
      request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress?.(loaded, content.size);
    request.onload = () =>
      resolve(new Response(request.responseText || null, { status: request.status, statusText: request.statusText }));
    request.onerror = () => reject(new NetworkError(`${withoutQuery(uploadUrl)}: no answer`));
    request.onabort = () => reject(signal?.reason as Error);
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    if (signal?.aborted) reject(signal.reason as Error);
    else request.send(content);
  });
}
