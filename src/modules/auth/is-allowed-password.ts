import { IsPassword } from '../../common/validation/password.js';

export const PASSWORD_MIN_LENGTH = 10;

/**
 * A password that is to be set: its length. What else it must be is decided by PasswordPolicy, which knows whose it is to
 * become, and the form that is stored by PasswordHasher.
 */
export const IsAllowedPassword = () => IsPassword(PASSWORD_MIN_LENGTH);
