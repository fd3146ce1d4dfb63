// The files in what was dropped or chosen, folders included.

/**
 * Yield `{file, path}` of each file in *items*, which are files and entries of file systems; directories are read
 * piece by piece. What cannot be read is yielded as `{file: null, path}`.
 */
export async function* filesIn(items) {
  for (const item of items) {
    if (item instanceof File) yield { file: item, path: item.webkitRelativePath || item.name };
    else yield* filesBelow(item);
  }
}

async function* filesBelow(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    yield { file: await called((done, failed) => entry.file(done, failed)), path };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const entries = await called((done, failed) => reader.readEntries(done, failed));
    if (entries === null) yield { file: null, path };
    if (entries === null || entries.length === 0) return;
    for (const each of entries) yield* filesBelow(each);
  }
}

/** What a function with callbacks returns; null if it fails. */
function called(run) {
  return new Promise((resolve) => {
    run(resolve, () => resolve(null));
  });
}
