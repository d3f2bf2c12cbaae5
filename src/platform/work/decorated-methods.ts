import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { ReflectableDecorator } from '@nestjs/core';

/** A provider's method that carries a decorator. */
export interface DecoratedMethod<Options> {
  options: Options;
  /** The provider. */
  owner: object;
  /** `<class>.<method>`, for messages. */
  name: string;
  call: (...args: never[]) => unknown;
}

/** Finds the methods of this process's providers that carry a decorator. */
@Injectable()
export class DecoratedMethods {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  find<Options>(decorator: ReflectableDecorator<Options>): DecoratedMethod<Options>[] {
    const instances = this.discovery.getProviders().map(({ instance }) => instance as unknown);
    const owners = instances.filter(
      (instance): instance is object => typeof instance === 'object' && instance !== null,
    );
    // A provider under two tokens is one.
    return [...new Set(owners)].flatMap((owner) => this.methodsOf(owner, decorator));
  }

  private methodsOf<Options>(owner: object, decorator: ReflectableDecorator<Options>): DecoratedMethod<Options>[] {
    const methods = owner as Record<string, DecoratedMethod<Options>['call']>;
    const prototype = Object.getPrototypeOf(owner) as object | null;
    return this.scanner.getAllMethodNames(prototype).flatMap((key) => {
      const method = methods[key] as DecoratedMethod<Options>['call'];
      const options = this.reflector.get(decorator, method) as Options | undefined;
      return options === undefined
        ? []
        : [{ options, owner, name: `${owner.constructor.name}.${key}`, call: method.bind(owner) }];
    });
  }
}
