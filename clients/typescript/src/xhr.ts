import type { Send } from './retry.js';

/** The part of an upload that has been sent, from 0 to 1. It starts again when the upload is sent again. */
export type OnProgress = (part: number) => void;

/** Sends by XMLHttpRequest, since fetch does not tell how much of a body has been sent. */
export function sendByXHR(onProgress: OnProgress): Send {
  return async (request) => {
    const body = await request.blob();
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open(request.method, request.url);
      xhr.responseType = 'blob';
      request.headers.forEach((value, name) => xhr.setRequestHeader(name, value));
      xhr.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
      xhr.onload = () => resolve(toResponse(xhr));
      xhr.onerror = () => reject(new TypeError('The network failed.'));
      xhr.onabort = () => reject(request.signal.reason);
      const abort = () => xhr.abort();
      request.signal.addEventListener('abort', abort, { once: true });
      xhr.onloadend = () => request.signal.removeEventListener('abort', abort);
      request.signal.throwIfAborted();
      xhr.send(body);
    });
  };
}

function toResponse(xhr: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().trim().split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const empty = xhr.status === 204 || xhr.status === 304;
  return new Response(empty ? null : xhr.response, { status: xhr.status, headers });
}
