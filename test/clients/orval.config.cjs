/** Orval writes the address of the service into the client. */
module.exports = {
  api: {
    input: './generated/openapi.json',
    output: { target: './generated/orval.ts', client: 'fetch', baseUrl: process.env.SERVICE_URL },
  },
};
