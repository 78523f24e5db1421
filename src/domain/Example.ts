/** An example for the OpenAPI document, which copies examples as they are: instants have to be text already. */
export const example = <A>(value: A): A => JSON.parse(JSON.stringify(value))
