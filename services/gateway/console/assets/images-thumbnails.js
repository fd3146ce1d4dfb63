// Thumbnails are converted when they are first requested, so few are requested at a time: other requests go before them.
const AT_ONCE = 4;

const waiting = [];
let loading = 0;

function next() {
  while (loading < AT_ONCE && waiting.length > 0) {
    const { image, url } = waiting.pop(); // the last one first: it is in sight
    if (!image.isConnected) continue;
    loading += 1;
    for (const name of ["load", "error"]) {
      image.addEventListener(name, () => {
        loading -= 1;
        next();
      }, { once: true });
    }
    image.src = url;
  }
}

/** Load an image unless it has left the document by then. */
export function loadThumbnail(image, url) {
  waiting.push({ image, url });
  next();
}
