import { Controller, Delete, Get, Module, VERSION_NEUTRAL } from '@nestjs/common';
import { DomainEvent } from './contracts/event.js';
import type { ModuleManifest } from './contracts/module-manifest.js';
import { assertMatchesManifest, assertUnique } from './manifest-checks.js';
import { MANIFESTS } from './modules.js';

@Controller('notifications/:id/comments')
class CommentsController {
  @Get()
  list() {}
}

@Controller('users/me')
class RemovalController {
  @Delete('comments')
  remove() {}
}

@Controller({ path: 'feed', version: VERSION_NEUTRAL })
class FeedController {
  @Get('new')
  show() {}
}

@Module({ controllers: [CommentsController, RemovalController, FeedController] })
class CommentsModule {}

class OtherEvent extends DomainEvent {
  static readonly type = 'users.something-happened.v1';
}

const notifications = MANIFESTS.find(({ name }) => name === 'notifications') as ModuleManifest;
const manifest: ModuleManifest = {
  ...notifications,
  foreignOperations: [{ method: 'DELETE', path: 'users/me/comments' }],
  publicPaths: [{ path: 'feed/new' }],
};

describe('a manifest and its Nest module', () => {
  it('may agree', () => {
    expect(() => assertMatchesManifest(manifest, CommentsModule)).not.toThrow();
  });

  it.each<[Partial<ModuleManifest>, string]>([
    [{ apiPaths: [] }, 'apiPaths lacks notifications, which CommentsController serves'],
    [{ apiPaths: ['notifications', 'boards'] }, 'no controller of its Nest module serves boards, which apiPaths lists'],
    [{ publicPaths: [] }, 'publicPaths lacks feed/new, which FeedController serves'],
    [{ foreignOperations: [] }, 'apiPaths lacks users, which RemovalController serves'],
    [
      { foreignOperations: [...manifest.foreignOperations!, { method: 'PUT', path: 'users/me/comments' }] },
      'no controller of its Nest module serves PUT users/me/comments, which foreignOperations lists',
    ],
    [{ events: { OtherEvent } }, 'it publishes users.something-happened.v1, which begins with another name'],
  ])('stop the start where the manifest has %j', (wrong, problem) => {
    const check = () => assertMatchesManifest({ ...manifest, ...wrong }, CommentsModule);
    expect(check).toThrow(`The manifest of the module notifications is wrong: ${problem}.`);
  });
});

describe('the manifests', () => {
  it('own different things', () => {
    expect(() => assertUnique(MANIFESTS)).not.toThrow();
    const twice = MANIFESTS.map((each) => (each.name === 'users' ? { ...each, queues: ['email'] } : each));
    expect(() => assertUnique(twice)).toThrow('The manifests of users and notifications both have the queue email.');
  });

  it('are those that the types were generated from', () => {
    const all = MANIFESTS.map(({ name }) => name).join(',');
    expect(() => assertUnique(MANIFESTS.slice(1))).toThrow(
      `src/modules.ts lists ${all.replace('auth,', '')}, src/contracts/modules.ts ${all}: run npm run generate.`,
    );
  });
});
