/** Paths below a resource that answer with the resource's own tag. */
const ACTIONS = /\/(restore|role|suspend|unsuspend|attachments(\/.*)?)$/;

/** A resource as the client has seen it last. */
export interface SeenVersion {
  etag: string;
  /** The JSON of the answer; undefined where only the tag is known. */
  content?: string;
  /** The JSON of its row, where it was seen in a list. */
  row?: string;
}

/** Larger ones are known by their tag alone. */
const LONGEST_CONTENT = 20_000;

/**
 * Remembers the tags of the resources that were read or written last, so that a write names what it has seen. Tags are
 * numbers that many resources have, so each is known by its address and its reader.
 */
export class SeenVersions {
  /** In the order of their use. */
  private readonly versions = new Map<string, SeenVersion>();

  constructor(private readonly most = 1000) {}

  /** The resource that an answer's tag is of. */
  static resourceOf(method: string, url: string): string {
    const { origin, pathname, search } = new URL(url);
    return origin + (method === 'GET' ? pathname + search : pathname.replace(ACTIONS, ''));
  }

  get(resource: string): SeenVersion | undefined {
    const seen = this.versions.get(resource);
    if (seen) this.put(resource, seen);
    return seen;
  }

  put(resource: string, { etag, content = '', row }: SeenVersion): void {
    this.versions.delete(resource);
    const isKept = content !== '' && content.length <= LONGEST_CONTENT;
    this.versions.set(resource, { etag, ...(isKept && { content }), ...(row !== undefined && { row }) });
    const [oldest] = this.versions.keys();
    if (this.versions.size > this.most && oldest !== undefined) this.versions.delete(oldest);
  }

  forget(resource: string): void {
    this.versions.delete(resource);
  }

  /** Forgets what a write may have changed beside its own resource: parts share their version with the whole. */
  forgetBelow(prefix: string): void {
    for (const resource of this.versions.keys()) if (resource.startsWith(prefix)) this.versions.delete(resource);
  }

  clear(): void {
    this.versions.clear();
  }
}
