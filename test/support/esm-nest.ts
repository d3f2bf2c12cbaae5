/**
 * Nest is ESM. CommonJS packages that `require` it (throttler) would get a second copy under Jest, whose
 * decorators' metadata and injection tokens are not the ones the application sees: hand them the ESM one.
 */
import { jest } from '@jest/globals';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';

jest.mock('@nestjs/common', () => common);
jest.mock('@nestjs/core', () => core);
