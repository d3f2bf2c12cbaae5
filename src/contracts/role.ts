/** From the lowest to the highest; a role may do all that a lower one may. */
export const ROLES = ['user', 'manager', 'admin'] as const;
export type Role = (typeof ROLES)[number];
