// Swagger UI on the service's own OpenAPI document.
window.SwaggerUIBundle({
    url: "/openapi.json",
    domNode: document.getElementById("api"),
    deepLinking: true,
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null, // the default one is somebody else's host
    presets: [window.SwaggerUIBundle.presets.apis],
});
