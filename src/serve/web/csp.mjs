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

// display.html frames what code displays, and passes its policy on to that: styles that are written there, pictures that
// are written there, and nothing that is loaded or runs.
const display = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
};

// Pages that show answers, and so frame display.html.
const answers = text({ ...strict, "frame-src": "'self'", "require-trusted-types-for": "'script'", "trusted-types": "'none'" });

export const policies = {
    "/": answers,
    "/jobs.html": answers,
    "/docs": text(strict),
    "display.html": text(display),
    "/redoc": text({ ...strict, "style-src": `'self' ${redoc}` }),
};
