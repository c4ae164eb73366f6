// Relative to the page, so that it works behind a proxy that adds a prefix.
const api = new URL("../", document.baseURI);

fetch(new URL("api/openapi.json", api))
  .then((answer) => answer.json())
  .then((spec) => {
    spec.servers = [{ url: api.href.replace(/\/$/, "") }];
    SwaggerUIBundle({
      spec,
      dom_id: "#explorer",
      deepLinking: true,
      displayOperationId: true,
      docExpansion: "none",
      filter: true,
      validatorUrl: null,
    });
  });
