// Shows the API's contract.
'use strict';

SwaggerUIBundle({
  url: document.querySelector('#swagger-ui').dataset.contract,
  dom_id: '#swagger-ui',
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
