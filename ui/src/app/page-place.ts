/** Below which path the console lies, always with a slash at its end. The server writes it into the page's `<base>`. */
export const basePath: string = new URL(document.baseURI).pathname.replace(/[^/]*$/, "");

const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');

/** With which styles that are made at run time pass the Content-Security-Policy; empty where there is none. */
export const styleNonce: string = meta?.nonce ?? "";
