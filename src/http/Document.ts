export const document = (spec: Record<string, any>): Record<string, any> => spec
