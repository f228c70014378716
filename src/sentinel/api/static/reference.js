"use strict";

// /docs lets one try every call; /redoc, the same page, is for reading and describes what is sent and answered.
const reading = location.pathname.endsWith("/redoc");

if (window.SwaggerUIBundle) {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    defaultModelsExpandDepth: reading ? 1 : -1,
    // Nothing is sent to anybody else.
    validatorUrl: null,
    ...(reading && { supportedSubmitMethods: [] }),
  });
}
