"""A test with the program, a receiver and a headless Chromium, which lets no page ask another host for anything."""

import os
import unittest

from playwright.sync_api import sync_playwright

from program import Program, Receiver


class Browsing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Each is ended, even where the next one can't be started.
        cls.program = Program()
        cls.addClassCleanup(cls.program.stop)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        executable = os.environ.get('HIREWIRE_CHROMIUM') or '/usr/bin/chromium'
        cls.chromium = cls.playwright.chromium.launch(executable_path=executable, args=['--no-sandbox', '--disable-gpu'])
        cls.addClassCleanup(cls.chromium.close)

    def setUp(self):
        self.receiver.requests.clear()
        self.complaints = []
        self.strangers = []
        self.contexts = []

    def tearDown(self):
        for context in self.contexts:
            context.close()
        self.assertEqual(self.complaints, [], 'the console is quiet')
        self.assertEqual(self.strangers, [], 'no other host is asked for anything')

    def browse(self, scripts=True, dark=False, width=1280, height=900):
        """A fresh browser's page."""
        context = self.chromium.new_context(
            java_script_enabled=scripts, color_scheme='dark' if dark else 'light', viewport={'width': width, 'height': height},
            base_url=self.program.operator)
        context.set_default_timeout(15_000)
        if scripts:
            context.grant_permissions(['clipboard-read', 'clipboard-write'], origin=self.program.operator)
        self.contexts.append(context)
        page = context.new_page()
        page.on('console', lambda message: self.note(message))
        page.on('pageerror', lambda error: self.complaints.append(str(error)))
        page.on('request', lambda request: self.look(request))
        return page

    def copy(self, page, name):
        """Presses a button that copies, and waits for its word, which it takes back soon."""
        page.evaluate("""() => new MutationObserver(() => { window.copied ||= document.body.innerText.includes('Copied') })
            .observe(document.body, {subtree: true, childList: true, characterData: true})""")
        page.get_by_role('button', name=name).click()
        page.wait_for_function('window.copied')

    def note(self, message):
        # A browser says so itself of every answer that is no success; some tests want one.
        if message.type in ('error', 'warning') and 'Failed to load resource' not in message.text:
            self.complaints.append(message.text)

    def look(self, request):
        if not request.url.startswith((self.program.operator + '/', 'data:')):
            self.strangers.append(request.url)

    def sign_in(self, **options):
        page = self.browse(**options)
        page.goto('/')
        page.get_by_label('Operator').fill(self.program.token)
        page.get_by_role('button', name='Sign in').click()
        page.get_by_role('heading', name='Overview').wait_for()
        return page

    def add_endpoint(self, page, url=None):
        """Adds one by its form; gives its id and its secret."""
        page.goto('/webhooks/new')
        page.get_by_label('URL').fill(url or self.receiver.url)
        page.get_by_role('button', name='Add the endpoint').click()
        secret = page.locator('#new-secret').inner_text()
        endpoint = page.get_by_role('link', name='To the endpoint').get_attribute('href').split('/')[-1]
        return endpoint, secret
