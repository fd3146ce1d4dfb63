const server = "http://127.0.0.1:8005";

// Exchange the key for an access token, which is valid for 30 minutes
const login = await fetch(`${server}/admin/api/v1/login`, {
  method: "POST",
  body: JSON.stringify({ apiKey: process.env.KEY }),
});
if (!login.ok) throw new Error(await login.text());
const { accessToken } = await login.json();

// Use it as you would use the key
const response = await fetch(`${server}/images/formats`, {
  headers: { Authorization: `Bearer ${accessToken}` },
});
if (!response.ok) throw new Error(await response.text());
for (const each of (await response.json()).items) console.log(each.id);
