// The bot's commands as people see them: subcommands written out ("models list"), found by what was typed.

const SUBCOMMAND = 1;
const GROUP = 2;
export const ATTACHMENT = 11;

export class CommandCatalogue {
  #world;

  constructor(world) {
    this.#world = world;
  }

  all() {
    return this.#world.commands.flatMap((command) => flatten(command, command, []));
  }

  named(name) {
    return this.all().find((command) => command.name === name) ?? null;
  }

  /** Commands for what stands after the slash, best match first. */
  matching(typed) {
    const wanted = typed.trim().toLowerCase();
    const scored = this.all().map((command) => ({ command, score: score(command.name, wanted) }));
    return scored
      .filter(({ score: one }) => one > 0)
      .sort((a, b) => b.score - a.score || a.command.name.localeCompare(b.command.name))
      .map(({ command }) => command);
  }

  /** The finetune command that takes a file, or null while the bot has not told its commands. */
  finetune() {
    return (
      this.all().find(
        (command) => /^finetune\b/.test(command.name) && command.options.some((option) => option.type === ATTACHMENT),
      ) ?? null
    );
  }
}

function flatten(root, node, path) {
  const inner = (node.options ?? []).filter((option) => option.type === SUBCOMMAND || option.type === GROUP);
  if (inner.length) return inner.flatMap((option) => flatten(root, option, [...path, option.name]));
  return [
    {
      id: root.id,
      path,
      name: [root.name, ...path].join(" "),
      description: node.description ?? "",
      options: node.options ?? [],
    },
  ];
}

function score(name, wanted) {
  if (!wanted) return 1;
  if (name === wanted) return 4;
  if (name.startsWith(wanted)) return 3;
  if (name.split(/[\s_-]/).some((word) => word.startsWith(wanted))) return 2;
  return name.includes(wanted) ? 1 : 0;
}
