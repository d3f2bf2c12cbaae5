/** The queues of durable work that the platform has, and so every process; those of a module are in its manifest. */
export const PLATFORM_QUEUES = ['outbox', 'object-removals', 'recurring-jobs'] as const;
