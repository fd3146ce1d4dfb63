// The viewer of the OpenAPI documents: Swagger UI, with the theme and the login of the console.

import { renew } from "./api.js";

const viewer = document.getElementById("viewer");
const isLoggedIn = "loggedIn" in viewer.dataset;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function showTheme() {
  const { theme } = document.documentElement.dataset;
  const isDark = theme === "dark" || (theme === "auto" && systemIsDark.matches);
  document.documentElement.classList.toggle("dark-mode", isDark);
}

systemIsDark.addEventListener("change", showTheme);
showTheme();

window.SwaggerUIBundle({
  url: viewer.dataset.document,
  domNode: viewer,
  deepLinking: true,
  filter: true,
  validatorUrl: null, // by default a badge of another host
  requestInterceptor: async (request) => {
    if (isLoggedIn && !request.loadSpec) await renew();
    return request;
  },
});
