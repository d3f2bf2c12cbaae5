/** What one process of a shape serves; `modules` as in `MODULES`, all where it is undefined. */
export interface ShapeProcess {
  name: string;
  modules?: string;
}

const MODULES = ['auth', 'users', 'tasks', 'notifications'];

/** The processes of each shape that the service can be run in here. */
export const SHAPES = {
  single: [{ name: 'service' }],
  replicas: [1, 2, 3].map((number) => ({ name: `service-${number}` })),
  split: MODULES.map((name) => ({ name, modules: name })),
} satisfies Record<string, ShapeProcess[]>;

export type Shape = keyof typeof SHAPES;
