// What each page may do. Nothing comes from elsewhere, nothing is inline, nothing frames a page.
const strict = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
};

// Redoc makes an empty <style> and fills it through the CSS object model, which needs no permission: the
// first hash is that of the empty text. The second is that of its scroll bars' styles, in the version that
// package.json names.
const redoc = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='";

const text = (policy) => Object.entries(policy).map(([name, value]) => `${name} ${value}`).join("; ");

export const policies = {
    // "display" is in script/displays.js.
    "/": text({ ...strict, "require-trusted-types-for": "'script'", "trusted-types": "display" }),
    "/docs": text(strict),
    "/redoc": text({ ...strict, "style-src": `'self' ${redoc}` }),
};
