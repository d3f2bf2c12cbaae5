import type { ExecutionContext, Type } from '@nestjs/common';

/**
 * What depends on the route alone, such as the marks of its handler, computed with its first request: looking up metadata
 * takes longer than most of what a guard does with it.
 *
 * @returns a function that gives what `compute` gave for the route of a request
 */
export function perRoute<T>(compute: (context: ExecutionContext) => T): (context: ExecutionContext) => T {
  // By handler within its class: classes may inherit the same handler.
  const classes = new WeakMap<Type, WeakMap<object, { value: T }>>();
  return (context) => {
    const controller = context.getClass();
    let routes = classes.get(controller);
    if (!routes) classes.set(controller, (routes = new WeakMap()));
    const handler = context.getHandler();
    let known = routes.get(handler);
    if (!known) routes.set(handler, (known = { value: compute(context) }));
    return known.value;
  };
}
