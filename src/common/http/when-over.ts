import type { ServerResponse } from 'node:http';

/**
 * Calls back once a response is over: sent, given up by its client, or its connection gone. At once where it is over already.
 * The 'close' of the response alone isn't enough: of pipelined requests those that wait for their turn never have one.
 */
export function whenOver(response: ServerResponse, callback: () => void): void {
  const { socket } = response.req;
  if (response.closed || socket.destroyed) {
    callback();
    return;
  }
  let isOver = false;
  const over = (): void => {
    // One of the two events comes within the other, when its listeners can't be taken off any more.
    if (isOver) return;
    isOver = true;
    response.off('close', over);
    socket.off('close', over);
    callback();
  };
  // A client may pipeline any number of requests.
  socket.setMaxListeners(0);
  socket.once('close', over);
  response.once('close', over);
}
