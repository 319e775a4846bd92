// What makes the value of a command option acceptable, as the sentences Discord would show. Pure.

export const STRING = 3;
export const INTEGER = 4;
export const BOOLEAN = 5;
export const USER = 6;
export const CHANNEL = 7;
export const MENTIONABLE = 9;
export const NUMBER = 10;

/** The sentence that says why typed text cannot be sent, or null. */
export function textComplaint(option, text) {
  if (!text) return option.required ? "This option is required. Specify a value." : null;
  if (option.type === STRING) return lengthComplaint(option, text);
  return numberComplaint(option, text);
}

/** The value as it goes to the server: text, or a number. */
export function typedValue(option, text) {
  return option.type === STRING ? text : Number(text);
}

/** "1–10" or "up to 100 characters", for the hint beside the description. */
export function allowedRange(option) {
  if (option.type === STRING) return rangeWords(option.min_length, option.max_length, " characters");
  return rangeWords(option.min_value, option.max_value, "");
}

function lengthComplaint(option, text) {
  if (text.length < (option.min_length ?? 0)) return `Must be at least ${option.min_length} characters long.`;
  if (text.length > (option.max_length ?? 6000)) return `Must be ${option.max_length ?? 6000} characters or fewer.`;
  return null;
}

function numberComplaint(option, text) {
  const number = Number(text);
  if (Number.isNaN(number)) return "Input a valid number.";
  if (option.type === INTEGER && !Number.isSafeInteger(number)) return "Input a valid whole number.";
  const range = rangeWords(option.min_value, option.max_value, "");
  if (number < (option.min_value ?? -Infinity) || number > (option.max_value ?? Infinity)) return `Must be ${range}.`;
  return null;
}

function rangeWords(least, most, unit) {
  const hasLeast = least !== undefined && least !== null;
  const hasMost = most !== undefined && most !== null;
  if (hasLeast && hasMost) return unit ? `${least}–${most}${unit}` : `between ${least} and ${most}`;
  if (hasMost) return `${unit ? "up to" : "at most"} ${most}${unit}`;
  return hasLeast ? `at least ${least}${unit}` : "";
}
