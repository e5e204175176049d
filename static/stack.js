// The editor of a stack comes when it is wanted: at once where there is a mouse, and on a telephone, which would be busy with it for a while, when the text is touched.
(() => {
  const { dataset, nonce } = document.currentScript;
  const area = document.getElementById('text');
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    const editor = document.createElement('script');
    editor.src = dataset.editor;
    editor.nonce = nonce;
    document.head.append(editor);
  };
  if (!matchMedia('(pointer: coarse)').matches) return begin();
  for (const event of ['pointerdown', 'focus']) area.addEventListener(event, begin);
})();
