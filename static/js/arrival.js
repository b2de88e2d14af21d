// What a visitor has in front of them, in the form that asks for consent: the width of the
// page, the kind of device, the browser's languages. Nothing is sent before the form is.
(() => {
  const form = document.querySelector('form input[name="viewport_width"]')?.form;
  if (!form) return;

  // Smaller than this, in either direction, a screen that is touched is a phone's.
  const PHONE_PX = 600;

  const device = () => {
    if (!matchMedia("(pointer: coarse)").matches || !navigator.maxTouchPoints) return "desktop";
    return Math.min(screen.width, screen.height) < PHONE_PX ? "phone" : "tablet";
  };

  const measure = () => {
    form.elements.viewport_width.value = document.documentElement.clientWidth;
    form.elements.device.value = device();
    form.elements.languages.value = (navigator.languages ?? [navigator.language]).slice(0, 10).join(",");
  };

  measure();
  // Windows are enlarged and phones are turned while people read.
  form.addEventListener("submit", measure);
})();
