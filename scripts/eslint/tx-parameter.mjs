/**
 * A parameter that is a database session (`ClientSession`, also inferred) is called `tx` and is the last one, so that
 * each call shows at the same place whether it is part of a transaction.
 */
export const txParameter = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      name: "Call the database session 'tx', not '{{ name }}'.",
      last: 'Make the database session the last parameter.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const isSession = (node) =>
      services.getTypeAtLocation(node).getNonNullableType().getSymbol()?.name === 'ClientSession';
    const check = ({ params }) => {
      params.forEach((param, at) => {
        const node = param.type === 'AssignmentPattern' ? param.left : param;
        if (node.type !== 'Identifier' || !isSession(node)) return;
        if (node.name !== 'tx') context.report({ node, messageId: 'name', data: { name: node.name } });
        if (at < params.length - 1) context.report({ node, messageId: 'last' });
      });
    };
    return {
      'FunctionDeclaration, FunctionExpression, ArrowFunctionExpression': check,
      'TSFunctionType, TSMethodSignature, TSEmptyBodyFunctionExpression': check,
    };
  },
};
