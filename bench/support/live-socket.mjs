import { WebSocket } from 'ws';

/** A client of the WebSocket. It remembers when it was told of what. */
export class LiveSocket {
  /** How often the server has asked whether it is still there; it answers by itself. */
  pings = 0;
  /** When it was told that a task is done, as `performance.now` has it, by the task's id. */
  toldAt = new Map();
  #socket;
  #upToDate;

  constructor(service, token) {
    const url = new URL('/ws', service.url);
    url.protocol = 'ws:';
    this.#socket = new WebSocket(url, { perMessageDeflate: false })
      .on('open', () => this.#socket.send(JSON.stringify({ type: 'auth', token })))
      .on('ping', () => this.pings++);
    this.#upToDate = new Promise((resolve, reject) => {
      this.#socket
        .on('error', reject)
        .on('close', (code, reason) => reject(new Error(`a WebSocket was closed with ${code} ${reason}`)))
        .on('message', (data) => {
          const { type, notification } = JSON.parse(data);
          if (type === 'notification') this.toldAt.set(notification.data.taskId, performance.now());
          if (type === 'unread') resolve();
        });
    });
  }

  /** A connection that has been told how much is unread: the server has nothing more to do for it. */
  static async open(service, token) {
    const socket = new LiveSocket(service, token);
    await socket.#upToDate;
    return socket;
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  close() {
    this.#socket.terminate();
  }
}
