// Where a picture or file of a message really is: resolves attachment:// names and collects what is known about it.

import { isWebAddress } from "./links.js";

const ATTACHMENT = "attachment://";

export function mediaOf(media, page) {
  const attachment = attachmentOf(media, page.message?.attachments ?? []);
  const url = media?.url?.startsWith(ATTACHMENT) ? attachment?.url : media?.url;
  return {
    url: isWebAddress(url) ? url : "",
    name: attachment?.filename ?? fileName(url ?? media?.url ?? ""),
    size: attachment?.size ?? media?.size,
    width: media?.width ?? attachment?.width ?? null,
    height: media?.height ?? attachment?.height ?? null,
    contentType: media?.content_type ?? attachment?.content_type ?? "",
    description: attachment?.description ?? "",
  };
}

/** An attachment object in the same shape. */
export function mediaOfAttachment(attachment) {
  return {
    url: isWebAddress(attachment.url) ? attachment.url : "",
    name: attachment.title ?? attachment.filename,
    size: attachment.size,
    width: attachment.width ?? null,
    height: attachment.height ?? null,
    contentType: attachment.content_type ?? "",
    description: attachment.description ?? "",
    isSpoiler: attachment.filename.startsWith("SPOILER_") || Boolean(attachment.is_spoiler),
  };
}

function attachmentOf(media, attachments) {
  const name = media?.url?.startsWith(ATTACHMENT) ? media.url.slice(ATTACHMENT.length) : null;
  return (
    attachments.find(
      (attachment) =>
        attachment.filename === name || attachment.id === media?.attachment_id || attachment.url === media?.url,
    ) ?? null
  );
}

function fileName(url) {
  const path = url.split(/[?#]/)[0];
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  } catch {
    return path.slice(path.lastIndexOf("/") + 1);
  }
}
