// An OpenID provider with client registration (RFC 7591) and its management (RFC 7592). An update of a registration never
// makes a new secret here, and makes a new registration access token.
import Provider from 'oidc-provider';

const port = Number(process.env.PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
  },
  // Clients' keys are on this machine here, which it would not fetch from otherwise.
  fetch(url, options) {
    const { dispatcher, ...rest } = options;
    return globalThis.fetch(url, rest);
  },
});
provider.listen(port, '127.0.0.1');
