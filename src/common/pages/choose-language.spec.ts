import { chooseLanguage } from './choose-language.js';

describe('chooseLanguage', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['DE-at', 'de'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en'],
    ['en;q=0.3, de;q=0.7', 'de'],
    ['fr, de;q=0.5', 'de'],
    ['fr', 'en'],
    ['de;q=0, fr', 'en'],
    ['*', 'en'],
    ['fr, *;q=0.1', 'en'],
    ['de;q=nonsense', 'en'],
    [';;,,q=1', 'en'],
  ])('for %j chooses %s', (header, language) => {
    expect(chooseLanguage(header)).toBe(language);
  });
});
