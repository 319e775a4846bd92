// Opens the socket, builds every part of the page once and connects them. Nothing else creates these objects.

import { Banners } from "./banners.js";
import { drawChannelHeader, drawTitleBar } from "./channel_header.js";
import { CommandCatalogue } from "./command_catalogue.js";
import { Composer } from "./composer.js";
import { Drawers } from "./drawers.js";
import { acceptDrops } from "./drop_area.js";
import { Interactions } from "./interactions.js";
import { Lightbox } from "./lightbox.js";
import { MessageList } from "./message_list.js";
import { MessageMenu } from "./message_menu.js";
import { Messages } from "./messages.js";
import { Modals } from "./modal.js";
import { keepRelativeTimesCurrent } from "./moments.js";
import { drawMembers, drawMyself, drawPeople } from "./people.js";
import { Presses } from "./presses.js";
import { drawChannels, drawServers } from "./servers.js";
import { Socket } from "./socket.js";
import { Toasts } from "./toasts.js";
import { Typing } from "./typing.js";
import { WaitingCommands } from "./waiting_commands.js";
import { drawWelcome } from "./welcome.js";
import { World } from "./world.js";

const part = (id) => document.getElementById(id);

function build() {
  const socket = new Socket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/playground/socket`);
  const interactions = new Interactions(socket);
  const world = new World(socket);
  const page = {
    world,
    messages: new Messages(socket, world),
    catalogue: new CommandCatalogue(world),
    toasts: new Toasts(part("toasts")),
    lightbox: new Lightbox(),
  };
  page.presses = new Presses(socket, interactions, (messageId) => page.list.redraw(messageId));
  page.menu = new MessageMenu(page, socket, part("message-list"));
  page.list = new MessageList(page, part("scroller"), part("message-list"), part("scroller-content"));
  page.composer = new Composer(page, socket, part("composer-area"));
  page.jumpTo = (channelId, messageId) => jumpTo(page, channelId, messageId);
  new Banners(part("banners"), world, socket);
  new Typing(part("composer-area"), world, socket);
  new WaitingCommands(page, socket, part("waiting-list"));
  new Modals(page, socket, interactions);
  const drawers = new Drawers(part("playground"), part("drawer-shade"));
  return { socket, page, drawers };
}

function connectParts({ socket, page, drawers }) {
  const { world, messages } = page;
  const attempt = (action) => action.catch((problem) => page.toasts.show(problem.message));
  socket.on("connected", () => attempt(world.enter()));
  world.on("changed", () => drawSurroundings(page, drawers, (person) => attempt(world.actAs(person.id))));
  world.on("channel", () => {
    drawers.close();
    page.composer.reset();
    attempt(messages.load());
  });
  world.on("changed", () => page.composer.refresh());
  for (const event of ["reset", "older", "added", "removed"])
    messages.on(event, () => drawWelcome(part("welcome"), page));
  world.on("changed", () => drawWelcome(part("welcome"), page));
  acceptDrops(
    part("channel"),
    part("drop-overlay"),
    () => page.composer.dropWords(),
    (files) => page.composer.addFiles(files),
  );
}

function drawSurroundings(page, drawers, actAs) {
  const { world } = page;
  const focused = document.activeElement?.dataset.testid;
  drawServers(part("server-rail"), world);
  drawChannels(part("channels"), part("server-name"), world);
  drawPeople(part("people"), world, actAs);
  drawMyself(part("myself"), world);
  drawMembers(part("members"), page);
  drawTitleBar(part("title-bar"), world);
  drawChannelHeader(part("channel-header"), world, {
    toggleDrawer: () => drawers.toggleDrawer(),
    toggleMembers: () => drawers.toggleMembers(),
  });
  if (focused && document.activeElement === document.body)
    document.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
}

/** Opens the channel of a message if needed, then shows the message. */
async function jumpTo(page, channelId, messageId) {
  if (page.world.channel?.id !== channelId) {
    page.world.openChannel(channelId);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  if (messageId && !page.list.reveal(messageId)) page.toasts.show("That message is further up in the channel.");
}

const parts = build();
connectParts(parts);
keepRelativeTimesCurrent();
parts.socket.connect();
