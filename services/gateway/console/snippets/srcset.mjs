const server = "http://127.0.0.1:8005";

// Get the converted images of photo.jpg as the attribute srcset of <img>
const query = new URLSearchParams({
  formatNodeId: "content.imageFormat.thumbnailProduct",
  fileName: "photo.jpg",
});
const response = await fetch(`${server}/images/srcset/products?${query}`, {
  headers: { Authorization: `Bearer ${process.env.KEY}` },
});
if (!response.ok) throw new Error(await response.text());
const { srcset } = await response.json();
console.log(`<img srcset="${srcset}" alt="">`);
