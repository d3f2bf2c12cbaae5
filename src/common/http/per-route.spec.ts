import type { ExecutionContext } from '@nestjs/common';
import { perRoute } from './per-route.js';

class Base {
  read(): void {}
  list(): void {}
}
class Derived extends Base {}

const contextOf = (controller: typeof Base, handler: () => void) =>
  ({ getClass: () => controller, getHandler: () => handler }) as unknown as ExecutionContext;

it('computes once for each handler of each class', () => {
  let computed = 0;
  const nth = perRoute(() => ++computed);
  const routes = [
    contextOf(Base, Base.prototype.read),
    contextOf(Base, Base.prototype.list),
    contextOf(Derived, Base.prototype.read),
  ];
  expect(routes.map(nth)).toEqual([1, 2, 3]);
  expect(routes.map(nth)).toEqual([1, 2, 3]);
});
