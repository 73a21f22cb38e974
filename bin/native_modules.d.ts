export const NATIVE: string[]
export function prepareNativeModules(node?: string, names?: string[]): void
